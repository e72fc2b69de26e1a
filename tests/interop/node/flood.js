// Send COUNT small events to whoever connects, or tell whoever is an administrator of them: `flood.js COUNT [admin]`.
// Encoded once, so that the reader is what is measured.
import { createServer } from "node:http";
import { instrument } from "@socket.io/admin-ui";
import { Server } from "socket.io";
import { print } from "./lines.js";

const count = Number(process.argv[2]);
const isAdmin = process.argv[3] === "admin";
const http = createServer();
const io = new Server(http, { perMessageDeflate: false, transports: ["websocket"], pingTimeout: 120_000 });
if (isAdmin) instrument(io, { auth: false });
const started = new Date().toISOString();

function packet(n) {
  const event = `["tick",{"n":${n},"text":"hello"}]`;
  return isAdmin ? `2/admin,["event_sent","/","Zk3pQ0n6WbJkq2oVAAAB",${event},"${started}"]` : `2${event}`;
}

// What the socket still has to send stays bounded, as a server that minds its memory does.
function flood(socket, sent = 0) {
  if (!socket.connected) return;
  const room = socket.conn.transport.socket._socket.writableLength < 1 << 20;
  const until = room ? Math.min(count, sent + 500) : sent;
  for (let n = sent; n < until; n++) socket.conn.write(packet(n));
  if (until < count) setImmediate(flood, socket, until);
}

io.of(isAdmin ? "/admin" : "/").on("connection", (socket) => setTimeout(flood, 100, socket));
http.listen(0, "127.0.0.1", () => print({ listening: http.address().port }));
