// A Socket.IO 4 server with what the reference server's /, /my-namespace and /lab do. Prints {"listening": PORT}.
// An argument is the path of a Unix socket to listen on.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { print } from "./lines.js";

const http = createServer((request, response) => response.setHeader("Content-Type", "text/html").end("<body></body>"));
const io = new Server(http, { pingInterval: 25000 });
for (const name of ["/", "/my-namespace", "/lab"]) io.of(name).on("connection", () => io.of(name).emit("hi", "everyone!"));
io.of("/lab").on("connection", (socket) => {
  socket.on("echo", (...args) => {
    const acknowledge = typeof args.at(-1) === "function" ? args.pop() : () => {};
    socket.emit("echo", ...args);
    acknowledge(...args);
  });
  socket.on("delay", ({ ms }, acknowledge) => setTimeout(() => acknowledge({ ok: true, ms }), ms));
  socket.on("binary", (bytes, acknowledge) => {
    socket.emit("binary", bytes);
    acknowledge(bytes);
  });
  socket.on("kick", () => socket.disconnect());
});
const [, , path] = process.argv;
if (path) http.listen(path, () => print({ listening: path }));
else http.listen(0, "127.0.0.1", () => print({ listening: http.address().port }));
