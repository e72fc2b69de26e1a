// A plain Socket.IO 2 server (Engine.IO 3): echoes every event, in / and /chat; /secret refuses.
import { createServer } from "node:http";
import socketIo from "socket.io-v2";
import { print } from "./lines.js";

const http = createServer();
const io = socketIo(http);

function connected(socket) {
  const namespace = socket.nsp.name;
  print({ kind: "connect", namespace, sid: socket.id, transport: socket.conn.transport.name });
  socket.use(([event, ...args], next) => {
    const ack = typeof args[args.length - 1] === "function" ? args.pop() : undefined;
    print({ kind: "event", namespace, event, args, ack: ack !== undefined });
    socket.emit("echo", ...args);
    if (ack) ack(...args);
    next();
  });
  socket.on("disconnect", (reason) => print({ kind: "disconnect", namespace, reason }));
}

for (const namespace of ["/", "/chat"]) io.of(namespace).on("connection", connected);
io.of("/secret").use((_socket, next) => next(new Error("no")));
http.listen(0, "127.0.0.1", () => print({ listening: http.address().port }));
