// A plain Socket.IO 2 server (Engine.IO 3): echoes every event, in / and /chat; /secret refuses.
// `--msgpack`, `--ping-interval MS`, `--ping-timeout MS`, `--port N`, `--refuse-root`.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import msgpack from "socket.io-msgpack-parser-v2";
import socketIo from "socket.io-v2";
import { print } from "./lines.js";

const { values } = parseArgs({
  options: {
    msgpack: { type: "boolean" },
    "ping-interval": { type: "string", default: "25000" },
    "ping-timeout": { type: "string", default: "20000" },
    port: { type: "string", default: "0" },
    "refuse-root": { type: "boolean" },
  },
});
const http = createServer();
const pingInterval = Number(values["ping-interval"]);
const pingTimeout = Number(values["ping-timeout"]);
const io = socketIo(http, { pingInterval, pingTimeout, ...(values.msgpack && { parser: msgpack }) });

const handlers = {
  join: (socket, room) => socket.join(room),
  // The server asks the client, and says what it answered.
  ask: (socket, ...args) => socket.emit("question", ...args, (...answer) => socket.emit("answer", ...answer)),
  cut: (socket) => socket.conn.close(),
  kick: (socket) => socket.disconnect(),
};

function connected(socket) {
  const namespace = socket.nsp.name;
  const { headers, query } = socket.handshake;
  print({ kind: "connect", namespace, sid: socket.id, transport: socket.conn.transport.name, headers, query });
  socket.emit("hi", "everyone!");
  socket.conn.on("packet", ({ type }) => type === "ping" && namespace === "/" && print({ kind: "ping" }));
  socket.use(([event, ...args], next) => {
    const ack = typeof args[args.length - 1] === "function" ? args.pop() : undefined;
    print({ kind: "event", namespace, event, args, ack: ack !== undefined });
    Object.hasOwn(handlers, event) ? handlers[event](socket, ...args) : socket.emit("echo", ...args);
    if (ack) ack(...args);
    next();
  });
  socket.on("disconnect", (reason) => print({ kind: "disconnect", namespace, reason }));
}

for (const namespace of ["/", "/chat"]) io.of(namespace).on("connection", connected);
io.of("/secret").use((_socket, next) => next(new Error("no")));
if (values["refuse-root"]) io.use((_socket, next) => next(new Error("not you")));
http.listen(Number(values.port), "127.0.0.1", () => print({ listening: http.address().port }));
