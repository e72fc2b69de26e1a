// What a person writes instead of `nsroom call`.
const { io } = require("socket.io-client");
const [url, event, text] = process.argv.slice(2);
const socket = io(url, { transports: ["websocket"] });
socket.on("connect", () =>
  socket.emit(event, text, (answer) => {
    console.log(JSON.stringify(answer));
    socket.disconnect();
  }),
);
