// A plain Socket.IO 4 server. `--recovery`, `--msgpack`, `--eio3`, `--transport polling|websocket`,
// `--ping-interval MS`, `--ping-timeout MS`.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { Server } from "socket.io";
import msgpack from "socket.io-msgpack-parser";
import { commands, print } from "./lines.js";

const { values } = parseArgs({
  options: {
    recovery: { type: "boolean" },
    msgpack: { type: "boolean" },
    eio3: { type: "boolean" },
    transport: { type: "string" },
    "max-payload": { type: "string" },
    "ping-interval": { type: "string", default: "25000" },
    "ping-timeout": { type: "string", default: "20000" },
  },
});
const http = createServer();
const io = new Server(http, {
  ...(values.recovery && { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } }),
  ...(values.msgpack && { parser: msgpack }),
  ...(values.transport && { transports: [values.transport] }),
  ...(values["max-payload"] && { maxHttpBufferSize: Number(values["max-payload"]) }),
  pingInterval: Number(values["ping-interval"]),
  pingTimeout: Number(values["ping-timeout"]),
  allowEIO3: Boolean(values.eio3),
});

const handlers = {
  join(socket, room, ack) {
    socket.join(typeof room === "object" ? room.room : room);
    ack?.({ ok: true });
  },
  leave(socket, room, ack) {
    socket.leave(typeof room === "object" ? room.room : room);
    ack?.({ ok: true });
  },
  message(socket, message, ack) {
    socket.nsp.to(message.room).emit("message", message);
    ack?.({ ok: true });
  },
  // The server asks the client, and says what it answered.
  async ask(socket, ...args) {
    const ack = typeof args.at(-1) === "function" ? args.pop() : undefined;
    const answer = await new Promise((resolve) => socket.emit("question", ...args, (...values) => resolve(values)));
    socket.emit("answer", ...answer);
    print({ answer });
    ack?.(...answer);
  },
  shout(socket, ...args) {
    const ack = typeof args.at(-1) === "function" ? args.pop() : undefined;
    socket.nsp.emit("echo", ...args);
    ack?.(...args);
  },
  flood(socket, count) {
    for (let n = 0; n < count; n++) socket.emit("tick", { n });
  },
  fail(_socket, ack) {
    ack?.({ error: "no", message: "it does not want to" });
  },
  never() {},
  // The connection breaks, and at once there is something that the client misses.
  cut(socket) {
    socket.conn.close();
    setTimeout(() => socket.nsp.emit("news", "missed"), 20);
  },
  kick(socket) {
    socket.disconnect();
  },
};

function echo(socket, args) {
  const ack = typeof args.at(-1) === "function" ? args.pop() : undefined;
  socket.emit("echo", ...args);
  ack?.(...args);
}

function connected(socket) {
  const namespace = socket.nsp.name;
  const { auth, headers, query } = socket.handshake;
  const transport = socket.conn.transport.name;
  print({ kind: "connect", namespace, sid: socket.id, auth, headers, query, transport, recovered: socket.recovered });
  socket.onAny((event, ...args) => {
    const wanted = typeof args.at(-1) === "function";
    const shown = wanted ? args.slice(0, -1) : args;
    print({ kind: "event", namespace, event, args: shown, ack: wanted, transport: socket.conn.transport.name });
    const handler = Object.hasOwn(handlers, event) ? handlers[event] : undefined;
    handler ? handler(socket, ...args) : echo(socket, args);
  });
  socket.on("disconnect", (reason) => print({ kind: "disconnect", namespace, sid: socket.id, reason }));
}

for (const namespace of ["/", "/chat", "/my-namespace"]) io.of(namespace).on("connection", connected);
io.of("/secret").use((_socket, next) => next(Object.assign(new Error("no"), { data: { code: 1 } })));

// {"emit": [event, …], "namespace"?, "room"?}: to everyone there.
commands(({ emit, namespace = "/", room }) => {
  const target = io.of(namespace);
  (room ? target.to(room) : target).emit(...emit);
});
http.listen(0, "127.0.0.1", () => print({ listening: http.address().port }));
