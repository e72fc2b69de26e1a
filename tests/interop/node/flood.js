// Send COUNT small events to whoever connects: `flood.js COUNT`. Encoded once, so that the reader is what is measured.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { print } from "./lines.js";

const count = Number(process.argv[2]);
const http = createServer();
const io = new Server(http, { perMessageDeflate: false, transports: ["websocket"], pingTimeout: 120_000 });

// What the socket still has to send stays bounded, as a server that minds its memory does.
function flood(socket, sent = 0) {
  if (!socket.connected) return;
  const room = socket.conn.transport.socket._socket.writableLength < 1 << 20;
  const until = room ? Math.min(count, sent + 500) : sent;
  for (let n = sent; n < until; n++) socket.conn.write(`2["tick",{"n":${n},"text":"hello"}]`);
  if (until < count) setImmediate(flood, socket, until);
}

io.on("connection", (socket) => setTimeout(flood, 100, socket));
http.listen(0, "127.0.0.1", () => print({ listening: http.address().port }));
