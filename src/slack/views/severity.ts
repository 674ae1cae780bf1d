import type { Severity } from '../../db/schema.ts';
import { nameOf } from '../../incident/incident.ts';
import { buttons, type Rendered, rendered, section } from './blocks.ts';

/** The severities that an incident can go to, each with what follows, said again before the click counts. */
export function severityChoices(about: {
  incidentId: number;
  now: Severity;
  others: readonly { severity: Severity; consequence: string }[];
}): Rendered {
  const { incidentId, now, others } = about;
  const lines = others.map(({ severity, consequence }) => `• \`${severity}\`: ${consequence}`);
  const text = [
    `${nameOf(incidentId)} is ${now}. Change it with \`severity sev1\`, \`sev2\` or \`sev3\`:`,
    ...lines,
  ];
  return rendered(text.join('\n'), [
    section(...text),
    ...buttons(
      others.map(({ severity, consequence }) => ({
        label: `Make it ${severity.toUpperCase()}`,
        actionId: `severity:${severity}`,
        value: String(incidentId),
        confirm: {
          title: `${nameOf(incidentId)}: ${severity}?`,
          text: consequence,
          confirm: severity.toUpperCase(),
        },
      })),
    ),
  ]);
}
