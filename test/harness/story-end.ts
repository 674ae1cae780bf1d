import { expect } from 'vitest';
import type { World } from './bot.ts';
import type { Screens } from './story-screens.ts';

/** What nobody but people can say; `started` only where the evidence could not tell. */
export interface WrittenUp {
  started?: string;
  caught: string;
  diagnose: string;
  prevents: string;
  /** For whoever writes it. */
  action: string;
}

/** The owner answers what the evidence could not and says what is done about it; the post-mortem then lacks nothing. */
export async function writeUp(
  { world, types }: Pick<Screens, 'types'> & { world: () => World },
  owner: string,
  { action, ...answers }: WrittenUp,
): Promise<void> {
  for (const [question, answer] of Object.entries(answers))
    expect(await types(owner, `postmortem answer ${question} ${answer}`)).toContain('Kept');
  const mention = `<@${world().slack.userId(owner)}>`;
  expect(await types(owner, `postmortem action ${mention} 2030-01-31 ${action}`)).toContain('Kept');
}
