import { clientTls, Failure, messageOf, type TlsMaterial } from "@offloadlab/protocol";
import { Client } from "undici";

const limitMilliseconds = 10_000;

/**
 * Fetches the file of a run's agents from the C-BS.
 *
 * @param stationUrl `wss://host:port/link`
 * @throws Failure `peer/unreachable` or `peer/refused`
 */
export const fetchAgents = async (
  stationUrl: string,
  tls: TlsMaterial,
  run: string,
  policy: string,
): Promise<Uint8Array> => {
  const { host } = new URL(stationUrl);
  const client = new Client(`https://${host}`, { connect: clientTls(tls, "cbs") });
  const path = `/api/v1/runs/${encodeURIComponent(run)}/policies/${encodeURIComponent(policy)}`;
  try {
    const signal = AbortSignal.timeout(limitMilliseconds);
    const response = await client.request({ method: "GET", path, signal });
    const bytes = new Uint8Array(await response.body.arrayBuffer());
    if (response.statusCode === 200) return bytes;
    throw new Failure(
      "peer/refused",
      `${path}: expected 200, got ${response.statusCode}: ${new TextDecoder().decode(bytes.subarray(0, 300))}`,
    );
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("peer/unreachable", `${path}: ${messageOf(error)}`, { cause: error });
  } finally {
    await client.destroy();
  }
};
