import { ExternalError, messageOf } from '../../errors.ts';
import type { StakeholderRole } from '../../incident/stakeholder.ts';
import type { Flow } from '../flow.ts';

type Reading = Pick<Flow, 'chat' | 'log'>;

/** The people that these ids stand for. Policy: a group that cannot be read stands for nobody. */
export async function peopleOf(flow: Reading, ids: readonly string[]): Promise<string[]> {
  const read = await Promise.all(
    ids.map(async (id) => {
      if (!id.startsWith('S')) return [id];
      try {
        return await flow.chat.membersOfGroup(id);
      } catch (thrown) {
        if (!(thrown instanceof ExternalError)) throw thrown;
        flow.log.warn({ group: id, error: messageOf(thrown) }, 'a group of contacts could not be read');
        return [];
      }
    }),
  );
  return [...new Set(read.flat())];
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
