// The server of the tutorial on socket.io/get-started/chat, word for word between the lines.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { print } from "./lines.js";

const server = createServer();
const io = new Server(server);

// ----
io.on('connection', (socket) => {
  socket.on('chat message', (msg) => {
    io.emit('chat message', msg);
  });
});
// ----

server.listen(0, "127.0.0.1", () => print({ listening: server.address().port }));
