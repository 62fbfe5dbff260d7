// SPDX-License-Identifier: MIT
// Logs what functions log: text, JSON, an error and a stack trace. Each is one event in the stream.

function priceOf(order) {
  if (!order.items) throw new TypeError(`order ${order.id} has no items`);
  return order.items.reduce((sum, item) => sum + item.price, 0);
}

export const handler = async (event) => {
  const name = event?.name ?? "World";
  console.log(`Hello, ${name}!`);
  console.log(JSON.stringify({ level: "info", message: "order received", orderId: "A-1007", customer: name, items: 2 }));

  try {
    priceOf({ id: "A-1008" });
  } catch (error) {
    console.error("order A-1008 cannot be priced; it goes to the review queue");
    console.log(error.stack);
  }

  console.log(`Goodbye, ${name}.`);
  return { statusCode: 200, body: JSON.stringify({ message: `Hello, ${name}!` }) };
};
