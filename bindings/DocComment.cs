namespace DynNet.Native.Bindings;

/// <summary>A doc comment of the header, taken apart into its text and its tags.</summary>
/// <param name="Text">what stands before the first tag, as one paragraph</param>
/// <param name="Tags">tag and text of each, in their order; a tag's text goes on until the next tag</param>
internal sealed record DocComment(string Text, IReadOnlyList<(string Tag, string Text)> Tags)
{
    private static readonly string[] Known = ["op", "default", "flag", "enum", "param", "returns", "throws"];

    public static DocComment None { get; } = new("", []);

    /// <summary>The text of a tag that occurs at most once, null if it does not.</summary>
    public string? Single(string tag) => Tags.FirstOrDefault(t => t.Tag == tag).Text;

    /// <summary>The tags of the form <c>@tag NAME text</c>, by name.</summary>
    public IReadOnlyDictionary<string, string> Named(string tag) => Tags.Where(t => t.Tag == tag)
        .Select(t => t.Text.Split(' ', 2))
        .ToDictionary(parts => parts[0], parts => parts.ElementAtOrDefault(1) ?? "");

    /// <summary>Reads a comment as it stands in the source, with its slashes.</summary>
    public static DocComment Read(string? source, string place)
    {
        if (string.IsNullOrWhiteSpace(source))
            return None;

        List<(string Tag, string Text)> parts = [("", "")];
        foreach (string raw in source.Split('\n'))
        {
            string text = raw.Trim().TrimStart('/').TrimStart('<').Trim();
            if (text.StartsWith('@'))
            {
                string[] words = text[1..].Split(' ', 2);
                if (!Known.Contains(words[0]))
                    throw new HeaderException(place, $"unknown tag @{words[0]}; known are @{string.Join(", @", Known)}");
                parts.Add((words[0], words.ElementAtOrDefault(1)?.Trim() ?? ""));
            }
            else if (text.Length > 0)
            {
                (string tag, string before) = parts[^1];
                parts[^1] = (tag, before.Length == 0 ? text : $"{before} {text}");
            }
        }
        return new DocComment(parts[0].Text, parts[1..]);
    }
}
