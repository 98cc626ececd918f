# To helper RULES: your version of this file was overwritten by accident by the coordinator; write yours here again (from your own context).
