// Says in its answer's head what the request's query has: `?status=200&connection=close`. With `stream` the body comes in pieces.
export default {
  fetch(request: Request): Response {
    const { searchParams } = new URL(request.url);
    if (searchParams.has("seen")) return Response.json([...request.headers]);
    const status = Number(searchParams.get("status") ?? 200);
    const headers = new Headers();
    for (const [name, value] of searchParams) {
      if (name !== "status" && name !== "stream") headers.append(name, value);
    }
    // What handlers of WebSockets do everywhere.
    if (searchParams.has("socket")) {
      const isAsked = request.headers.get("upgrade")?.toLowerCase() === "websocket";
      if (!isAsked) return new Response("this is for WebSockets", { status: 426, headers: { upgrade: "websocket" } });
      return new Response("no sockets here", { status: 501 });
    }
    return new Response(searchParams.has("stream") ? new Blob(["bo", "dy"]).stream() : "body", { status, headers });
  },
};
