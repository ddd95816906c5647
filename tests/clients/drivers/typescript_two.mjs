// The client of the second TypeScript SDK, @modelcontextprotocol/client, in either era.
import { need, order, say, take } from "./steps.mjs";

const { Client, SSEClientTransport, StreamableHTTPClientTransport } = need("@modelcontextprotocol/client");

const Transport = order.transport === "sse" ? SSEClientTransport : StreamableHTTPClientTransport;
const requestInit = { headers: { Authorization: `Bearer ${order.token}` } };
const client = new Client({ name: "typescript-two", version: "1" }, { versionNegotiation: { mode: order.era } });
await client.connect(new Transport(new URL(order.url), { requestInit }));
say({ version: client.getNegotiatedProtocolVersion() ?? "", server: client.getServerVersion()?.name ?? "" });
await take(
  async () => (await client.listTools()).tools.map((tool) => tool.name),
  (name, args) => client.callTool({ name, arguments: args }),
);
await client.close();
