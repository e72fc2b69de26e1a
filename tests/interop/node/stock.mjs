// The stock server of stock.cjs as an ES module.
import { parseArgs } from "node:util";
import { Server } from "socket.io";
import { options, serve } from "./stock.cjs";

const { values } = parseArgs({ options });
serve((http, given) => new Server(http, given), values);
