// Where in the hub each thing that has a reference is shown; the same as services/api/hub_links.py says.

export interface Referred {
  reference: string;
  state: string;
  defects?: string[];
}

export function addressOf({ reference, state, defects }: Referred): string {
  if (reference.startsWith("R")) return `/hub/reports/${reference}`;
  if (reference.startsWith("D")) return `/hub/defects/${reference}`;
  if (reference.startsWith("K")) return `/hub/recalls#${reference}`;
  const first = defects?.[0];
  if (!first || state === "evidence_ok" || state === "evidence_failed") return `/hub/verification?order=${reference}`;
  return `/hub/defects/${first}#${reference}`;
}
