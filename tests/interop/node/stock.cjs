// A stock Socket.IO server that knows nothing of nsroom, in CommonJS. `--version 2|4`, `--recovery`, `--cluster N`,
// `--second`: another server in the same process, on another port.
// {"truth": 1} on stdin prints what the server itself knows, and how many listeners there are.
const cluster = require("node:cluster");
const { createServer } = require("node:http");
const { createInterface } = require("node:readline");
const { parseArgs } = require("node:util");

const print = (record) => process.stdout.write(JSON.stringify(record) + "\n");

const handlers = {
  enter: (socket, room) => socket.join(room),
  exit: (socket, room) => socket.leave(room),
  shout: (socket, ...args) => socket.nsp.emit("echo", ...args),
  whisper: (socket, room, text) => socket.nsp.to(room).emit("whispered", text),
  flood: (socket, count) => { for (let n = 0; n < count; n++) socket.emit("tick", { n }); },
  ask: (socket, ...args) => socket.emit("question", ...args, (...answer) => print({ answer })),
};

function connected(socket) {
  socket.emit("hi", "everyone!");
  for (const [event, handle] of Object.entries(handlers))
    socket.on(event, (...args) => {
      const ack = typeof args.at(-1) === "function" ? args.pop() : undefined;
      handle(socket, ...args);
      ack?.({ ok: true });
    });
}

function truth(io) {
  const spaces = io._nsps ? [...io._nsps.values()] : Object.values(io.nsps);
  const entries = (table) => (table instanceof Map ? [...table] : Object.entries(table));
  const names = (rooms) => (rooms instanceof Set ? [...rooms] : Object.keys(rooms)).sort();
  return spaces.flatMap((nsp) =>
    entries(nsp.connected ?? nsp.sockets).map(([sid]) => ({
      namespace: nsp.name, sid, rooms: names(nsp.adapter.sids instanceof Map ? nsp.adapter.sids.get(sid) : nsp.adapter.sids[sid]),
    })));
}

function listeners(io) {
  const spaces = io._nsps ? [...io._nsps.values()] : Object.values(io.nsps);
  const emitters = spaces.flatMap((nsp) => [nsp, nsp.adapter, ...(nsp.connected ? Object.values(nsp.connected) : nsp.sockets.values())]);
  return emitters.map((each) => [
    each.constructor.name,
    Object.fromEntries(each.eventNames().map((name) => [String(name), each.listenerCount(name)])),
    Object.keys(each).filter((key) => typeof each[key] === "function"),
  ]);
}

exports.serve = function serve(create, args) {
  const http = createServer();
  const io = create(http, args.recovery ? { connectionStateRecovery: {} } : {});
  for (const namespace of ["/", "/chat"]) io.of(namespace).on("connection", connected);
  http.listen(0, "127.0.0.1", () => print({ listening: http.address().port, pid: process.pid }));
  createInterface({ input: process.stdin }).on("line", () =>
    print({ truth: truth(io), listeners: listeners(io), globals: Object.getOwnPropertyNames(globalThis).filter((name) => name.startsWith("nsroom")),
      symbols: Object.getOwnPropertySymbols(globalThis).map(String).filter((name) => name.includes("nsroom")) }));
};

exports.options = {
  version: { type: "string", default: "4" },
  recovery: { type: "boolean" },
  cluster: { type: "string" },
};

if (require.main === module) {
  const { values } = parseArgs({ options: exports.options });
  const v4 = (http, options) => new (require("socket.io").Server)(http, options);
  const v2 = (http) => require("socket.io-v2")(http);
  if (values.cluster && cluster.isPrimary) {
    for (let n = 0; n < Number(values.cluster); n++) cluster.fork();
    let missing = Number(values.cluster);
    cluster.on("listening", (_worker, { port }) => --missing || print({ listening: port, pid: process.pid }));
  } else if (values.cluster) {
    const http = createServer();
    const io = v4(http, { transports: ["websocket"] });
    io.on("connection", connected);
    http.listen(0, "127.0.0.1");
  } else exports.serve(values.version === "2" ? v2 : v4, values);
}
