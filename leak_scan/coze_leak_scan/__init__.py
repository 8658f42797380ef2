"""Finds Coze's secrets in the files of a site, without ever printing one."""
