"""Everything about one visitor, for the operator: docs/audit.md explains it. No function has it."""
