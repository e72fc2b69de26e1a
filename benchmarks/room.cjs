// The rooms of `nsroom serve`, as one writes them with Node's socket.io. `node room.cjs [redis://HOST:PORT]`.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

async function adapter(url) {
  const { createAdapter } = require("@socket.io/redis-adapter");
  const clients = [0, 1].map(() => require("redis").createClient({ url }));
  await Promise.all(clients.map((client) => client.connect()));
  return createAdapter(...clients);
}

async function main(redis) {
  const http = createServer();
  const io = new Server(http, { pingInterval: 600_000, ...(redis && { adapter: await adapter(redis) }) });
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
  http.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
}

main(process.argv[2]);
