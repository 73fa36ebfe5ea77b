// What people did to their accounts. What is personal in it is sealed.

/** What a sealed text is opened with lies elsewhere. */
export type Sealed = string;
