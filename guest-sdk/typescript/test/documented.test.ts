// What docs/typescript.md quotes and no other test has.

import { Part, Response, tool } from "bailiwick-sdk";
import { Scene } from "bailiwick-sdk/testing";
import { expect, test } from "vitest";
import * as z from "zod";

import { Order } from "./shop/src/status.js";

const listOrders = tool(
  { name: "list_orders", description: "Lists the open orders.", services: ["orders_api"] },
  ({ services }) => {
    const answer = services.orders_api.get(["customers", Part.actorSub, "orders"], {
      query: { status: "open" },
    });
    const orders = answer.json(z.array(Order));
    return { orders };
  },
);

test("the orders of the caller are asked for, whoever that is", () => {
  const scene = new Scene().actor("user_7").onSend(({ pathText }) => {
    expect(pathText).toContain("/customers/");
    return Response.json([{ id: "A-1001", status: "open", cost: 7 }]);
  });
  const { structured } = scene.call(listOrders, {});
  expect(structured).toEqual({ orders: [{ id: "A-1001", status: "open" }] });
});
