// A component with all that the SDK offers, for the tests of the SDK and of its build.

import { component } from "bailiwick-sdk";

import { cancelOrder, deleteOrders } from "./orders.js";
import { complain, order, terms } from "./documents.js";
import { getOrderStatus } from "./status.js";
import { look } from "./look.js";

export default component({
  tools: [getOrderStatus, cancelOrder, deleteOrders, look],
  resources: [terms, order],
  prompts: [complain],
});
