import { z } from 'zod';

const slackUser = z.string().regex(/^[UW][A-Z0-9]+$/, 'must be a Slack user id such as U012ABC');
const slackId = z
  .string()
  .regex(/^[UWS][A-Z0-9]+$/, 'must be a Slack user id (U…) or user group id (S…), never a display name');

/** People by their task. Of a list the first is asked first, and the next one when nobody answers. */
export const contacts = z.strictObject({
  legal: z.array(slackId).default([]),
  compliance: z.array(slackId).default([]),
  comms: z.array(slackId).default([]),
  product: z.array(slackId).default([]),
  engineering_lead: z.array(slackUser).default([]),
});

const minutes = z.number().positive().default(60);

/** How long product may take to acknowledge a quality incident. */
export const productSla = z.strictObject({ sev1: minutes, sev2: minutes, sev3: minutes });

const webhook = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }),
  secret: z.string().min(1, 'must name an environment variable, such as "${NOTICE_SECRET}"'),
  allow_private: z.boolean().default(false),
});

/** What is told to users who received bad outputs, and where the approved notice goes. */
export const exposure = z.strictObject({
  template: z
    .string()
    .min(1)
    .default(
      'Between {from} and {to} some answers of {service} were wrong. You received at least one of them. ' +
        'Please do not rely on it; ask again, or contact support.',
    ),
  webhook: webhook.optional(),
});
export type ExposureWebhookConfig = z.infer<typeof webhook>;

/** Policy: a sign-off is given by a person by name, so a role that signs off cannot consist of groups alone. */
export function signOffProblems(file: {
  contacts: z.infer<typeof contacts>;
  safety_sign_offs: readonly string[];
}): string[] {
  const roles = (['legal', 'compliance'] as const).filter((role) => file.safety_sign_offs.includes(role));
  return roles
    .filter((role) => file.contacts[role].length > 0 && file.contacts[role].every((id) => id.startsWith('S')))
    .map(
      (role) =>
        `contacts.${role}: signs off safety incidents, so it must name a person (U…) beside the group`,
    );
}

/**
 * What cannot be signed off as things are: it starts all the same, for not every team has legal, and it is said at once
 * and not in the middle of a safety incident.
 */
export function signOffWarnings(file: {
  contacts: z.infer<typeof contacts>;
  safety_sign_offs: readonly string[];
  services: Readonly<Record<string, { target?: unknown }>>;
}): string[] {
  // Without a target nothing is ever taken away.
  if (Object.values(file.services).every(({ target }) => target === undefined)) return [];
  const roles = (['legal', 'compliance', 'engineering_lead'] as const).filter((role) =>
    file.safety_sign_offs.includes(role),
  );
  return roles
    .filter((role) => file.contacts[role].length === 0)
    .map(
      (role) =>
        `contacts.${role} is empty and safety_sign_offs needs one of them: nobody can set back on what a safety incident takes away`,
    );
}

export const stakeholderShapes = {
  'contacts.': contacts.shape,
  'product_sla_minutes.': productSla.shape,
  'exposure.': exposure.shape,
  'exposure.webhook.': webhook.shape,
};
