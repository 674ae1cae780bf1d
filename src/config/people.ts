import { z } from 'zod';

/** What somebody can be in an incident, for saying who may do what. */
export const HOLDERS = [
  'anyone',
  'responder',
  'declarer',
  'commander',
  'owner',
  'approver',
  'on_call',
  'lead',
] as const;
export type Holder = (typeof HOLDERS)[number];

const allowed = z
  .array(
    z.union([
      z.enum(HOLDERS),
      z.string().regex(/^[UWS][A-Z0-9]+$/, `must be one of ${HOLDERS.join(', ')}, or a Slack id`),
    ]),
  )
  .min(1);
const anyone = allowed.default(['anyone']);
const whoKnowsIt = allowed.default(HOLDERS.filter((holder) => holder !== 'anyone'));

/**
 * Who may do what in an incident's room. Policy: whoever came may help and may end it, for at night nobody else may be there;
 * what hides an incident, lowering its severity, merging it away or closing its room to others, takes somebody who
 * answers for it.
 */
export const whoMay = z.strictObject({
  acknowledge: anyone,
  contain: anyone,
  mitigate: anyone,
  update: anyone,
  role: anyone,
  invite: anyone,
  page: anyone,
  severity: anyone,
  severity_down: whoKnowsIt,
  resolve: anyone,
  decline: anyone,
  merge: whoKnowsIt,
  private: whoKnowsIt,
  close: anyone,
  tree: anyone,
  characterise: anyone,
  lease: anyone,
  note: anyone,
  timeline: anyone,
  postmortem: anyone,
  eval: anyone,
  root_cause: anyone,
});
export type WhoMay = z.infer<typeof whoMay>;

const minutes = (fallback: number) => z.number().min(0).default(fallback);

/** How long a room may go without an update, by severity; 0: as long as it likes. */
export const updateMinutes = z.strictObject({ sev1: minutes(30), sev2: minutes(60), sev3: minutes(0) });

/** For the README's table. */
export const peopleShapes = { 'who_may.': whoMay.shape, 'update_minutes.': updateMinutes.shape };
