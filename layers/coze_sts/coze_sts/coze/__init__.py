"""Sign an assertion and exchange it at Coze."""
