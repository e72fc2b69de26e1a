// A scripted Socket.IO 4 client: `client4.js URL [--namespace NS]… [--transport T] [--auth JSON] [--msgpack]
// [--reconnect]`; with `--old` one of Socket.IO 2, which does not print events.
// Takes {"emit": [event, …], "namespace"?, "ack"?: id}, {"disconnect": namespace}; prints what it receives.
import { parseArgs } from "node:util";
import msgpack from "socket.io-msgpack-parser";
import { commands, print } from "./lines.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    namespace: { type: "string", multiple: true, default: ["/"] },
    transport: { type: "string" },
    auth: { type: "string", default: "{}" },
    msgpack: { type: "boolean" },
    reconnect: { type: "boolean", default: false },
    old: { type: "boolean", default: false },
  },
});
const { Manager } = values.old ? (await import("socket.io-client-v2")).default : await import("socket.io-client");
const manager = new Manager(positionals[0], {
  reconnection: values.reconnect,
  reconnectionDelay: 20,
  reconnectionDelayMax: 100,
  ...(values.transport && { transports: [values.transport] }),
  ...(values.msgpack && { parser: msgpack }),
});
const sockets = new Map(values.namespace.map((namespace) => [namespace, open(namespace)]));

function open(namespace) {
  const socket = manager.socket(namespace, { auth: JSON.parse(values.auth) });
  socket.on("connect", () => print({ kind: "connect", namespace, sid: socket.id, recovered: socket.recovered }));
  socket.on("connect_error", ({ message, data }) => print({ kind: "connect_error", namespace, message, data }));
  socket.on("disconnect", (reason) => print({ kind: "disconnect", namespace, reason }));
  socket.onAny?.((event, ...args) => {
    const ack = typeof args.at(-1) === "function" ? args.pop() : undefined;
    print({ kind: "event", namespace, event, args, transport: manager.engine.transport.name });
    ack?.(...args);
  });
  return socket;
}

commands(({ emit, namespace = values.namespace[0], ack, disconnect }) => {
  if (disconnect) return sockets.get(disconnect).disconnect();
  const answered = ack === undefined ? [] : [(...args) => print({ kind: "ack", namespace, id: ack, args })];
  return sockets.get(namespace).emit(...emit, ...answered);
});
manager.on("error", (error) => print({ kind: "error", message: error.message }));
