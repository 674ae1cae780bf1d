import { ExternalError, messageOf } from '../../errors.ts';
import type { StakeholderRole } from '../../incident/stakeholder.ts';
import type { Flow } from '../flow.ts';

type Reading = Pick<Flow, 'chat' | 'log'>;

/** The people that these ids stand for. Policy: a group that cannot be read stands for nobody. */
export async function peopleOf(flow: Reading, ids: readonly string[]): Promise<string[]> {
  return (await readPeople(flow, ids)).people;
}

/** The same, and the groups that Slack may show later. */
export async function readPeople(
  flow: Reading,
  ids: readonly string[],
): Promise<{ people: string[]; unread: string[] }> {
  const unread: string[] = [];
  const read = await Promise.all(
    ids.map(async (id) => {
      if (!id.startsWith('S')) return [id];
      try {
        return await flow.chat.membersOfGroup(id);
      } catch (thrown) {
        if (!(thrown instanceof ExternalError)) throw thrown;
        flow.log.warn({ group: id, error: messageOf(thrown) }, 'a group of contacts could not be read');
        if (thrown.retryable) unread.push(id);
        return [];
      }
    }),
  );
  return { people: [...new Set(read.flat())], unread };
}

/** The same for what is done once: throws a retryable ExternalError while Slack does not show a group. */
export async function peopleToReach(flow: Reading, ids: readonly string[]): Promise<string[]> {
  const { people, unread } = await readPeople(flow, ids);
  if (unread.length === 0) return people;
  const message = `Slack does not show the members of ${unread.join(', ')} now`;
  throw new ExternalError(message, { service: 'Slack', retryable: true });
}

/** In which of these roles somebody is a contact, as the configuration has it now. */
export async function rolesHeldBy(
  flow: Reading & Pick<Flow, 'config'>,
  person: string,
  roles: readonly StakeholderRole[],
): Promise<StakeholderRole[]> {
  const held = await Promise.all(
    roles.map(async (role) => (await peopleOf(flow, flow.config.contacts[role])).includes(person)),
  );
  return roles.filter((_, at) => held[at]);
}
