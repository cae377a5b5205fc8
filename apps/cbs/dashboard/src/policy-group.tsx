import type { Estimate, LiveResult } from "@offloadlab/protocol";
import { halfWidthText, isKnown, type Metric, type PolicyRows, trialsOf } from "./comparison.ts";
import { dash, fixed } from "./format.ts";

/** A metric as its whole column is shown. */
interface Column {
  readonly metric: Metric;
  readonly decimals: number;
  /** Characters of its longest half width, so that the means line up. */
  readonly halfLength: number;
  readonly best: ReadonlySet<string>;
}

interface GroupProps {
  readonly group: PolicyRows;
  readonly columns: readonly Column[];
  readonly open: boolean;
  readonly running: boolean;
  readonly toggle: () => void;
}

/** A policy's overall row and, when open, its communities. */
export const PolicyGroup = ({ group, columns, open, running, toggle }: GroupProps) => {
  const { policy, overall, communities } = group;
  return (
    <tbody class={open ? "open" : undefined} data-testid={`result-${policy}`}>
      <tr class="overall">
        <th scope="row">
          <button type="button" class="disclose" aria-expanded={open} onClick={toggle} disabled={!communities.length}>
            {policy}
          </button>
          <span class={running ? "now" : "now not-now"}>now</span>
        </th>
        {overall ? <Cells row={overall} columns={columns} marked /> : <td colSpan={columns.length + 1}>{dash}</td>}
      </tr>
      {open &&
        communities.map((row) => (
          <tr key={row.community} class="community">
            <th scope="row">{row.community}</th>
            <Cells row={row} columns={columns} />
          </tr>
        ))}
    </tbody>
  );
};

interface CellsProps {
  readonly row: LiveResult;
  readonly columns: readonly Column[];
  /** Whether the best of a column stands out here. */
  readonly marked?: boolean;
}

const Cells = ({ row, columns, marked = false }: CellsProps) => {
  const [fewest, most] = trialsOf(row);
  return (
    <>
      {columns.map((column) => (
        <EstimateCell
          key={column.metric.key}
          estimate={row[column.metric.key]}
          column={column}
          best={marked && column.best.has(row.policy)}
        />
      ))}
      <td>{fewest === most ? most : `${fewest}–${most}`}</td>
    </>
  );
};

interface EstimateProps {
  readonly estimate: Estimate;
  readonly column: Column;
  readonly best: boolean;
}

const EstimateCell = ({ estimate, column, best }: EstimateProps) => {
  const { halfWidth, n } = estimate;
  const { decimals, halfLength, metric } = column;
  if (!isKnown(estimate)) return <td title="no trial yet">{dash}</td>;
  return (
    <td class={best ? "best" : undefined} title={halfWidth === null ? "n < 2: no interval" : `n = ${n}`}>
      <span class="mean">{fixed(estimate.mean * metric.scale, decimals)}</span>
      <span class="half" style={{ minWidth: `${halfLength + 3}ch` }}>
        {` ± ${halfWidthText(estimate, metric, decimals)}`}
      </span>
      {best && <span class="heard"> best so far</span>}
    </td>
  );
};
