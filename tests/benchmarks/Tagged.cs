namespace DynNet.Native.Benchmarks;

/// <summary>A sentence as numbers.</summary>
/// <param name="Words">Numbers of frequent words; -1 - k for the k-th of the rare ones.</param>
/// <param name="Tags">One for each word.</param>
internal sealed record Sentence(int[] Words, int[] Tags);

/// <summary>Sentences of tagged words, of which those seen fewer than 6 times are rare.</summary>
internal sealed record Tagged(Sentence[] Sentences, int WordCount, string[] RareWords, int TagCount)
{
    private const int LeastSeen = 6;

    // What the sentences of WikiNER are like that the figures of others are for.
    private const int Count = 1_696;
    private const int Vocabulary = 20_000;
    private const double MeanLength = 23;
    private const double LengthDeviation = 13;
    private const int MadeUpTags = 5;

    /// <summary>Reads sentences from a file, or makes some.</summary>
    public static Tagged All(string? file)
    {
        List<(string Word, string Tag)[]> sentences = file is null ? MakeUp() : Read(file);
        Dictionary<string, int> seen = sentences.SelectMany(s => s).CountBy(token => token.Word).ToDictionary();
        var words = new Numbering();
        var rareWords = new List<string>();
        var rareNumbers = new Numbering();
        var tags = new Numbering();
        Sentence[] numbered =
        [
            .. sentences.Select(sentence => new Sentence(
                [.. sentence.Select(token => Number(token.Word))], [.. sentence.Select(token => tags[token.Tag])])),
        ];
        return new Tagged(numbered, words.Count, [.. rareWords], tags.Count);

        int Number(string word)
        {
            if (seen[word] >= LeastSeen)
                return words[word];
            int number = rareNumbers[word];
            if (number == rareWords.Count)
                rareWords.Add(word);
            return -1 - number;
        }
    }

    private static List<(string Word, string Tag)[]> Read(string file) =>
    [
        .. File.ReadLines(file).Where(line => line.Length > 0).Select(line => Array.ConvertAll(line.Split(' '), token =>
        {
            int bar = token.LastIndexOf('|');
            return bar > 0
                ? (token[..bar], token[(bar + 1)..])
                : throw new IOException($"{file}: '{token}' is no word|TAG.");
        })),
    ];

    private static List<(string Word, string Tag)[]> MakeUp()
    {
        var random = new Random(Options.Seed);
        var vocabulary = new Zipf(Vocabulary, random);
        // Rare words are longer than frequent ones, but only the length of the rare matters.
        string[] words =
        [
            .. Enumerable.Range(0, Vocabulary).Select(i =>
                string.Concat($"{i:x}-", new string('e', random.NextLength(mean: 2.5, deviation: 2)))),
        ];
        return
        [
            .. Enumerable.Range(0, Count).Select(_ =>
                Enumerable.Range(0, random.NextLength(MeanLength, LengthDeviation))
                    .Select(_ => (words[vocabulary.Next()], $"{random.Next(MadeUpTags)}")).ToArray()),
        ];
    }
}
