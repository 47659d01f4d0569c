using System.CommandLine;

return await new RootCommand("Puts a cluster behind its own registry without anybody changing a manifest.").Parse(args).InvokeAsync();
