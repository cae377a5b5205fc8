/** What stands where a run would be. */
export const NoRun = ({ connected, nodes }: { readonly connected: boolean; readonly nodes: number }) => (
  <section class="empty" data-testid="no-run">
    <h2>{connected ? "Waiting for the first run" : "Connecting to the C-BS"}</h2>
    {connected ? (
      <p>
        {nodes > 0 ? "The lab is up. " : "No community has joined yet. "}
        Start a comparison with <code>offload compare</code>; it shows here as soon as its nodes get ready.
      </p>
    ) : (
      <p>The page fills itself as soon as the central station answers.</p>
    )}
  </section>
);
