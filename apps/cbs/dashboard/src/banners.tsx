import type { LiveRun } from "@offloadlab/protocol";
import type { LinkState } from "./live-link.ts";
import { stateViews } from "./run-view.ts";

interface ConnectionProps {
  readonly link: LinkState;
  /** Old figures are on the page. */
  readonly stale: boolean;
  readonly retry: () => void;
}

/** Says that what the page shows is old, and that it tries again by itself. */
export const ConnectionBanner = ({ link, stale, retry }: ConnectionProps) => {
  if (link !== "lost" && link !== "silent") return null;
  return (
    <div class="banner banner-lost" role="alert" data-testid="connection-banner">
      <p>
        <strong>{link === "lost" ? "No connection to the C-BS." : "The C-BS has stopped sending."}</strong>{" "}
        {stale && "Greyed figures are the last ones received. "}
        {link === "lost" && "Trying again by itself."}
      </p>
      <button type="button" onClick={retry}>
        {link === "lost" ? "Try now" : "Reconnect"}
      </button>
    </div>
  );
};

/** Says why a run's figures must not be used, or do not cover all of it. */
export const RunBanner = ({ run }: { readonly run: LiveRun }) => {
  if (run.state !== "invalid" && run.state !== "interrupted") return null;
  return (
    <div class={`banner banner-${run.state}`} role="alert" data-testid="run-banner">
      <div>
        <p>
          <strong>This run is {stateViews[run.state].label}.</strong> {stateViews[run.state].meaning}
        </p>
        {run.reasons.length > 0 && (
          <ul>
            {run.reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
};
