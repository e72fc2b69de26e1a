// A room for everyone, and an answer to everything: the server that `benchmarks.load` loads.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const http = createServer();
const io = new Server(http, { perMessageDeflate: false, transports: ["websocket"] });
io.on("connection", (socket) => {
  socket.on("join", (room, ack) => {
    socket.join(room);
    ack({ ok: true });
  });
  socket.on("message", (message, ack) => {
    io.to(message.room).emit("message", message);
    ack({ ok: true });
  });
  socket.on("who", (room, ack) => ack({ ok: true, room }));
});
http.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ listening: http.address().port })));
// Asked on stdin: the CPU time so far, in microseconds.
process.stdin.on("data", () => {
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({ cpu: user + system }));
});
