// The rooms of `nsroom serve`, as one writes them with socket.io: `node room.cjs ENGINE [redis://HOST:PORT]`.
// The engine is ws or uws (Node), or bun.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

// Nothing is sent to an idle client, as `nsroom serve --ping-interval 600` does.
const OPTIONS = { pingInterval: 600_000 };
const ready = (port) => console.log(`listening on http://127.0.0.1:${port}`);

const LISTEN = {
  ws(io) {
    const http = createServer();
    io.attach(http);
    http.listen(0, "127.0.0.1", () => ready(http.address().port));
  },
  uws(io) {
    const { App, us_socket_local_port } = require("uWebSockets.js");
    const app = App();
    io.attachApp(app, { idleTimeout: 0 });
    app.listen("127.0.0.1", 0, (socket) => ready(us_socket_local_port(socket)));
  },
  bun(io) {
    const engine = new (require("@socket.io/bun-engine").Server)({ path: "/socket.io/", ...OPTIONS });
    io.bind(engine);
    const { websocket, ...handler } = engine.handler();
    const idle = { websocket: { ...websocket, idleTimeout: 0 }, idleTimeout: 0 };
    ready(Bun.serve({ ...handler, ...idle, hostname: "127.0.0.1", port: 0 }).port);
  },
};

async function adapter(url) {
  const { createAdapter } = require("@socket.io/redis-adapter");
  const clients = [0, 1].map(() => require("redis").createClient({ url }));
  await Promise.all(clients.map((client) => client.connect()));
  return createAdapter(...clients);
}

async function main(engine, redis) {
  const io = new Server({ ...OPTIONS, ...(redis && { adapter: await adapter(redis) }) });
  let id = 0;
  io.on("connection", (socket) => {
    io.emit("hi", "everyone!");
    socket.on("join", (room, ack) => {
      socket.join(room);
      ack?.({ ok: true });
    });
    socket.on("emit", ({ event, args, to, except = [] }, ack) => {
      io.to(to).except(except).emit(event, ...args);
      ack?.({ ok: true });
    });
    socket.on("message", ({ room, text }, ack) => {
      const time = new Date().toISOString();
      io.to(room).emit("message", { id: ++id, room, from: socket.id, nick: null, text, time });
      ack?.({ ok: true, id });
    });
  });
  LISTEN[engine](io);
}

main(...process.argv.slice(2));
