// Says what it was asked.
export default {
  async fetch(request: Request): Promise<Response> {
    const { method, url, headers } = request;
    const body = Array.from(new Uint8Array(await request.arrayBuffer()));
    const bytes = Uint8Array.from(body);
    return new Response(
      JSON.stringify({ method, url, headers: [...headers], body, again: bytes.length }),
      { headers: { "content-type": "application/json", "x-method": method } },
    );
  },
};
