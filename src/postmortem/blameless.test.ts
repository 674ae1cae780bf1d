import { describe, expect, test } from 'vitest';
import { blameless, standIns } from './blameless.ts';
import { empty } from './example-record.ts';
import { peopleIn, withPlainMentions } from './people-in-record.ts';
import { assemble, toMarkdown } from './postmortem.ts';
import type { PostmortemRecord } from './record.ts';

const said = (userId: string, text: string, files: PostmortemRecord['messages'][number]['files'] = []) => ({
  ...{ ts: '1763800000.000100', userId, text, files },
});
const record = (change: Partial<PostmortemRecord>): PostmortemRecord => ({ ...empty, ...change });

describe('roles in place of names', () => {
  test('one stand-in for each person: what they did first, and others in the order of the record', () => {
    const roles = [
      { role: 'commander', people: ['U0000001'] },
      { role: 'approver', people: ['U0000001', 'U0000002', 'U0000003', 'U0000009'] },
    ];
    const people = ['U0000004', 'U0000003', 'U0000002', 'U0000001', 'U0000005'];
    expect([...standIns(roles, people)]).toEqual([
      ['U0000001', 'commander'],
      ['U0000002', 'approver 1'],
      ['U0000003', 'approver 2'],
      ['U0000004', 'responder 1'],
      ['U0000005', 'responder 2'],
    ]);
  });

  test('everyone is found: authors, actors, votes, owners, and whoever is mentioned with a label', () => {
    const found = peopleIn(
      record({
        messages: [said('U0000001', 'ask <@U0000002|anna>, not WARNINGS or UPDATED')],
        events: [{ at: new Date(), kind: 'vote', text: 'approved for <@U0000003>', actor: 'U0000004' }],
        actionItems: [{ text: 'x', owner: 'U0000005' }],
        noEvalCaseReason: { text: 'none', by: 'U0000006' },
      }),
    );
    for (const id of [1, 2, 3, 4, 5, 6]) expect(found).toContain(`U000000${id}`);
    expect(found).not.toContain('WARNINGS');
  });

  test('no name is left, in mentions, texts, file names or addresses; a word stays a word', () => {
    const names = new Map([
      ['U0000001', 'Ann Müller'],
      ['U0000002', 'lead'],
      ['U0000003', '李雷'],
    ]);
    const roles = new Map([
      ['U0000001', 'commander'],
      ['U0000002', 'responder 1'],
      ['U0000003', 'responder 2'],
    ]);
    const permalink = 'https://acme.slack.com/files/U0000001/F1/notes.txt';
    const raw = record({
      messages: [
        said('U0000001', '<@U0000002|lead> took the lead, says @lead. Ann Müller and 李雷 agree; planned', [
          { id: 'F1', name: 'notes of Ann Müller.txt', permalink },
        ]),
      ],
      actionItems: [{ text: 'Thank <@U0000003|李雷> &amp; Ann Müller', owner: 'U0000001' }],
    });
    const told = blameless(raw, { roles, names });
    const markdown = toMarkdown(assemble(told, { names: roles })).replaceAll('\\', '');
    expect(markdown).toContain(
      'commander: @responder 1 took the lead, says @responder 1. commander and responder 2 agree; planned',
    );
    expect(markdown).toContain('File: notes of commander.txt');
    expect(markdown).toContain('| Thank @responder 2 & commander | @commander |');
    for (const name of ['Ann Müller', '李雷', 'U0000001']) expect(markdown).not.toContain(name);
  });
});

test('mentions in plain sentences are names, and without one what Slack says', () => {
  const names = new Map([['U0000001', 'ann']]);
  const text = 'Ask <@U0000001>, <@U0000002|bo>, <!subteam^S0000001|@team> in <#C0000001|help>';
  const { actionItems } = withPlainMentions(record({ actionItems: [{ text }] }), names);
  expect(actionItems[0]?.text).toBe('Ask @ann, @bo, @team in #help');
});
