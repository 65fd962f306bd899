import { Response, ToolError } from "bailiwick-sdk";
import { Scene } from "bailiwick-sdk/testing";
import { expect, test } from "vitest";

import { getOrderStatus } from "./tool.js";

test("the user's order is found at the service", () => {
  const scene = new Scene().actor("user_7").onSend(({ pathText }) => {
    expect(pathText).toBe("/orders/A-1001");
    return Response.json({ id: "A-1001", status: "shipped", cost: 7 });
  });
  const { structured } = scene.call(getOrderStatus, { orderId: "A-1001" });
  expect(structured).toEqual({ id: "A-1001", status: "shipped", askedBy: "user_7" });
});

test("an order that is not there is an error that the caller reads", () => {
  const scene = new Scene().onSend(() => new Response(404));
  expect(() => scene.call(getOrderStatus, { orderId: "7" })).toThrow(
    ToolError.notFound("the service has no such thing (HTTP 404)"),
  );
});
