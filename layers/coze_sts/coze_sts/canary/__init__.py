"""The isolation canary: does from outside what nobody may succeed with, and says whether it did."""
