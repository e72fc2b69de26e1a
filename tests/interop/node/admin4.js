// An instrumented Socket.IO 4 server. `--mode production`, `--readonly`, `--recovery`, `--auth` (admin:s3cret, or
// session "known"). {"truth": 1} on stdin prints every socket as the server itself knows it.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { InMemoryStore, instrument } from "@socket.io/admin-ui";
import bcrypt from "bcryptjs";
import { Server } from "socket.io";
import { commands, print } from "./lines.js";

const { values } = parseArgs({
  options: {
    mode: { type: "string", default: "development" },
    readonly: { type: "boolean" },
    recovery: { type: "boolean" },
    auth: { type: "boolean" },
  },
});
const http = createServer();
const io = new Server(http, {
  ...(values.recovery && { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } }),
});
const store = new InMemoryStore();
store.saveSession("known");
instrument(io, {
  auth: values.auth ? { type: "basic", username: "admin", password: bcrypt.hashSync("s3cret", 4) } : false,
  mode: values.mode,
  readonly: Boolean(values.readonly),
  store,
});

const NAMESPACES = ["/", "/chat"];
const handlers = {
  enter(socket, room, ack) {
    socket.join(room);
    ack?.({ ok: true });
  },
  exit(socket, room, ack) {
    socket.leave(room);
    ack?.({ ok: true });
  },
  shout(socket, ...args) {
    socket.nsp.emit("echo", ...args.filter((arg) => typeof arg !== "function"));
  },
  cut(socket) {
    socket.conn.close();
  },
  hint(socket, text) {
    socket.volatile.emit("echo", text);
  },
};

for (const namespace of NAMESPACES) {
  io.of(namespace).on("connection", (socket) => {
    socket.data.name = "someone";
    for (const [event, handler] of Object.entries(handlers)) socket.on(event, (...args) => handler(socket, ...args));
    socket.on("disconnect", (reason) => print({ kind: "disconnect", namespace, sid: socket.id, reason }));
    print({ kind: "connect", namespace, sid: socket.id });
  });
}

commands(() => {
  const sockets = NAMESPACES.flatMap((namespace) =>
    [...io.of(namespace).sockets.values()].map((socket) => ({
      namespace,
      sid: socket.id,
      transport: socket.conn.transport.name,
      rooms: [...socket.rooms],
    })),
  );
  print({ truth: sockets });
});
http.listen(0, "127.0.0.1", () => print({ listening: http.address().port }));
