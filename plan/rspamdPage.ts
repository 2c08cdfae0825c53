/** The name that the password of rspamd's page has among the generated ones. */
export const RSPAMD_PAGE_PASSWORD = "rspamd-page";
