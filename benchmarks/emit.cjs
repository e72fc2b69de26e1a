// What a person writes instead of `nsroom emit`.
const { io } = require("socket.io-client");
const [url, event, text] = process.argv.slice(2);
const socket = io(url, { transports: ["websocket"] });
socket.on("connect", () => {
  socket.emit(event, text);
  setTimeout(() => socket.disconnect(), 5);
});
