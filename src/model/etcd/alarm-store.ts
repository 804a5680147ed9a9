import type { AlarmMember, AlarmType, MemberId } from './api.ts';

/** The alarms that are raised (server/etcdserver/api/v3alarm), each by one member. An immutable list, replaced on change. */
export class AlarmStore {
  #alarms: readonly AlarmMember[];

  constructor(alarms: readonly AlarmMember[] = []) {
    this.#alarms = alarms;
  }

  list(type: AlarmType = 'NONE'): readonly AlarmMember[] {
    return type === 'NONE' ? this.#alarms : this.#alarms.filter((alarm) => alarm.alarm === type);
  }

  isRaised(type: AlarmType): boolean {
    return this.#alarms.some((alarm) => alarm.alarm === type);
  }

  activate(memberId: MemberId, alarm: AlarmType): AlarmMember {
    const raised: AlarmMember = { memberId, alarm };
    if (!this.#find(memberId, alarm)) {
      this.#alarms = [...this.#alarms, raised].sort((a, b) => a.memberId - b.memberId || (a.alarm < b.alarm ? -1 : 1));
    }
    return raised;
  }

  /** The alarm that was put out, if it was raised. */
  deactivate(memberId: MemberId, alarm: AlarmType): AlarmMember | undefined {
    const found = this.#find(memberId, alarm);
    if (found !== undefined) this.#alarms = this.#alarms.filter((raised) => raised !== found);
    return found;
  }

  #find(memberId: MemberId, alarm: AlarmType): AlarmMember | undefined {
    return this.#alarms.find((raised) => raised.memberId === memberId && raised.alarm === alarm);
  }
}
