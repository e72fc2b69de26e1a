// The server of gist 2896891, word for word between the lines; each line on stdin makes it speak once.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { commands, print } from "./lines.js";

const http = createServer();
const io = new Server(http);

// ----
io.sockets.on("connection", function (socket) {
  // once a client has connected, we expect to get a ping from them saying what room they want to join
  socket.on("room", function (room) {
    socket.join(room);
    print({ joined: room });
  });
});

function speak() {
  // now, it's easy to send a message to just the clients in a given room
  const room = "lobby";
  io.sockets.in(room).emit("message", "what is going on, party people?");

  // this message will NOT go to the client defined above
  io.sockets.in("foobar").emit("message", "anyone in this room yet?");
}
// ----

commands(speak);
http.listen(0, "127.0.0.1", () => print({ listening: http.address().port }));
