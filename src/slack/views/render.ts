import type { RoomMessage } from '../../flow/ports.ts';
import type { Rendered } from './blocks.ts';
import { renderCard } from './card.ts';
import { renderCharacteristics } from './characteristics.ts';
import { renderContext } from './context.ts';
import { renderDigest } from './digest.ts';
import { renderDuty } from './duty.ts';
import { renderLease } from './lease.ts';
import { renderNotice } from './notice.ts';
import { renderPostmortem } from './postmortem.ts';
import { renderProposal } from './proposal.ts';
import { renderReceipt } from './receipt.ts';
import { renderStakeholder } from './stakeholder.ts';
import { renderTree } from './tree.ts';

/** Any room message as Slack takes it: within its limits, and safe whatever the texts in it hold. */
export function render(message: RoomMessage): Rendered {
  switch (message.kind) {
    case 'card':
      return renderCard(message.card);
    case 'proposal':
      return renderProposal(message.proposal);
    case 'receipt':
      return renderReceipt(message.receipt);
    case 'context':
      return renderContext(message.context);
    case 'tree':
      return renderTree(message.tree);
    case 'characteristics':
      return renderCharacteristics(message.characteristics);
    case 'lease':
      return renderLease(message.lease);
    case 'stakeholder':
      return renderStakeholder(message.ask);
    case 'digest':
      return renderDigest(message.digest);
    case 'notice':
      return renderNotice(message);
    case 'postmortem':
      return renderPostmortem(message.postmortem);
    case 'duty':
      return renderDuty(message.duty);
  }
}
