import { ExternalError, messageOf } from '../errors.ts';
import { type StandingApproval, standingApprovals } from '../mitigation/approval.ts';
import { type Flow, serviceConfig } from './flow.ts';

/**
 * Who may approve for a service: its owner, its approvers, the members of its approver groups; for a service that
 * names nobody, the engineering lead. A group that cannot be read counts as empty: approval fails closed.
 */
export async function approversOf(
  flow: Pick<Flow, 'config' | 'chat' | 'log'>,
  service: string | null,
): Promise<string[]> {
  const people = new Set<string>();
  for (const id of approverIds(flow, service)) {
    for (const person of id.startsWith('S') ? await groupMembers(flow, id) : [id]) people.add(person);
  }
  return [...people];
}

/** The same, as ids to show and mention: groups stay groups. */
export function approverIds(flow: Pick<Flow, 'config'>, service: string | null): string[] {
  const config = serviceConfig(flow, service);
  const named =
    config === null ? [] : [...(config.owner === undefined ? [] : [config.owner]), ...config.approvers];
  return named.length === 0 ? flow.config.contacts.engineering_lead : [...new Set(named)];
}

/** What the team approved in advance for a service, as the configuration has it now; nothing without a target. */
export function standingNow(
  flow: Pick<Flow, 'config' | 'targetFor'>,
  about: { service: string; environment: string },
): StandingApproval[] {
  const target = flow.targetFor(about);
  const names = serviceConfig(flow, about.service)?.standing_approvals ?? [];
  return target === null ? [] : standingApprovals({ ...about, target: target.describe(), names });
}

async function groupMembers(flow: Pick<Flow, 'chat' | 'log'>, groupId: string): Promise<string[]> {
  try {
    return await flow.chat.membersOfGroup(groupId);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    flow.log.warn({ groupId, error: messageOf(thrown) }, 'approver group could not be read');
    return [];
  }
}
