import { expect, test } from 'vitest';
import { parseConfigFile } from './config-file.ts';

const approversIn = (approvers: unknown) =>
  parseConfigFile(JSON.stringify({ services: { bot: { approvers } } }), {}).services['bot']?.approvers;

test('approvers-are-people-groups-and-who-is-on-call', () => {
  expect(approversIn(['U1', 'S2', { on_call: 'P3' }, { on_call: 'P3', levels: [1, 2] }])).toEqual([
    'U1',
    'S2',
    { on_call: 'P3', levels: [1] },
    { on_call: 'P3', levels: [1, 2] },
  ]);
});

test.each([
  ['@jane', 'approvers.0: must be a Slack user id (U…) or user group id (S…), never a display name'],
  [7, 'approvers.0: must be a Slack user id'],
  [{ on_call: 'on-call lead' }, 'approvers.0.on_call: must be the id of an escalation policy'],
  [{ on_call: 'P3', levels: [] }, 'approvers.0.levels: '],
  [{ on_call: 'P3', levels: [0] }, 'approvers.0.levels.0: '],
  [{ on_call: 'P3', level: 1 }, 'approvers.0: Unrecognized key: "level"'],
])('refuses %j and names the cure', (one, problem) => {
  expect(() => approversIn([one])).toThrow(`services.bot.${problem}`);
});
