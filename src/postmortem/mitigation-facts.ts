/** One mitigation as the post-mortem tells it. */
export interface MitigationFacts {
  readonly id: string;
  readonly summary: string;
  readonly from: string;
  readonly to: string;
  readonly proposedBy: string;
  readonly approvedBy: readonly string[];
  /** Who ran it alone, when that replaced the votes of others, and what somebody else thought of it later. */
  readonly breakGlass?: BreakGlass | undefined;
  /** Who refused it, or withdrew what they had proposed themselves. */
  readonly refused?: Refusal | undefined;
  readonly status: string;
  readonly appliedAt?: Date | undefined;
  readonly proof?: Proof | undefined;
  readonly leaseUntil?: Date | undefined;
  readonly leaseOwner?: string | undefined;
  /** It was on when the record was taken. */
  readonly isOn?: boolean | undefined;
  readonly kept?: { readonly by: string; readonly reason: string } | undefined;
}

/** What caused it, and who signed that off; kept for every incident, asked for after a safety incident. */
export interface RootCause {
  readonly text: string;
  readonly by: string;
  readonly at: Date;
  readonly signOffs: readonly {
    readonly by: string;
    readonly note?: string | undefined;
    readonly at: Date;
  }[];
}

export interface BreakGlass {
  readonly by: string;
  readonly reason: string;
  readonly review?: { readonly by: string; readonly text: string } | undefined;
}

export interface Refusal {
  readonly by: string;
  readonly reason?: string | undefined;
  readonly isWithdrawn: boolean;
}

/** The receipt: the metric before and after over `n` calls, and when the new state was first served. */
export interface Proof {
  readonly verdict: 'proven' | 'unproven' | 'not-contained';
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  readonly n: number;
  readonly interval?: { readonly lower: number; readonly upper: number } | undefined;
  readonly timeToEffectMs?: number | undefined;
  readonly servedAt?: Date | undefined;
}
