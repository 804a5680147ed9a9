/** Keys of the clients that use the store directly. */
export const STORE_PREFIX = 'seatrial/';
/** End of the range of all of them. */
export const STORE_RANGE_END = 'seatrial0';
/** The user that they log in as, once an operator has switched authentication on. */
export const STORE_USER = { name: 'client', password: 'secret' } as const;
