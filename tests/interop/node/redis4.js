// A plain Socket.IO 4 server whose adapter is Redis': `--redis URL --adapter classic|specific|sharded|streams`.
// {"truth": 1} on stdin prints every socket of the whole cluster as fetchSockets() gives it, with `local` its own.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { Redis } from "ioredis";
import { Server } from "socket.io";
import { commands, print } from "./lines.js";

const { values } = parseArgs({
  options: {
    redis: { type: "string" },
    adapter: { type: "string", default: "classic" },
    recovery: { type: "boolean" },
  },
});
const connect = () => new Redis(values.redis);
const adapters = {
  classic: () => createAdapter(connect(), connect()),
  specific: () => createAdapter(connect(), connect(), { publishOnSpecificResponseChannel: true, key: "other" }),
  sharded: () => createShardedAdapter(connect(), connect()),
  streams: () => createStreamsAdapter(connect()),
};
const NAMESPACES = ["/", "/chat"];
const http = createServer();
const io = new Server(http, {
  adapter: adapters[values.adapter](),
  ...(values.recovery && { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } }),
});

for (const namespace of NAMESPACES) {
  io.of(namespace).on("connection", (socket) => {
    socket.data.name = "someone";
    socket.on("enter", (room, ack) => {
      socket.join(room);
      ack?.({ ok: true });
    });
    socket.on("tell", (rooms, ...args) => socket.nsp.to(rooms).emit("echo", ...args));
    socket.on("shout", (...args) => socket.nsp.emit("echo", ...args));
    socket.on("disconnect", (reason) => print({ kind: "disconnect", namespace, sid: socket.id, reason }));
    print({ kind: "connect", namespace, sid: socket.id });
  });
}

async function truth(namespace) {
  const own = io.of(namespace).sockets;
  const sockets = await io.of(namespace).fetchSockets();
  return sockets.map((socket) => ({
    namespace,
    sid: socket.id,
    rooms: [...socket.rooms],
    address: socket.handshake.address,
    local: own.has(socket.id),
  }));
}

commands(async () => {
  print({ truth: (await Promise.all(NAMESPACES.map(truth))).flat() });
});
http.listen(0, "127.0.0.1", () => print({ listening: http.address().port }));
