using System.Text.RegularExpressions;

namespace DynNet.Native.PackageTests;

/// <summary>The demo and the sample on trees as processes, built from their files and run as a script would.</summary>
public sealed partial class DemoTests
{
    private const string Model = "pronounce.model";

    private readonly Workplace _workplace = new();
    private string _dictionary = "";

    [OneTimeSetUp]
    public void Build()
    {
        foreach (var sample in (string[])["pronounce", "treelstm"])
            _workplace.Dotnet(_workplace.Root, "build", $"src/samples/{sample}.cs", "-c", "Release");

        // 1088 spellings of two and three letters, each letter pronounced as itself.
        const string Letters = "abcdefghijklmnop";
        var spellings = from a in $"{Letters} " from b in Letters from c in "aeio" select $"{a}{b}{c}".Trim();
        _dictionary = Path.Combine(_workplace.App, "dictionary");
        File.WriteAllLines(_dictionary, spellings.Select(s => $"{s} {string.Join(' ', s.ToUpper(null).ToArray())}"));
    }

    [OneTimeTearDown]
    public void CleanUp() => _workplace.Dispose();

    [Test]
    public async Task Output_without_a_terminal_is_plain_lines_with_both_error_rates()
    {
        var (output, errors) = await Run(NewFolder(), "pronounce", ["--words", "1000", _dictionary]);

        Assert.That(errors, Is.Empty);
        Assert.That(output, Has.None.Contains('\e'));
        Assert.That(output[0], Does.Match(@"^980 spellings to learn from, 108 held out$"));
        Assert.That(output[1], Does.Match(@"^ +1,000 words: loss \d+\.\d{3}, PER \d+\.\d\d %, WER \d+\.\d\d %; "));
        Assert.That(output[2], Does.Match(@"^Ended after \d+ s\..*\bPER \d+\.\d\d %, WER \d+\.\d\d %"));
        Assert.That(output[3], Does.Match(@"^On \d+ other held-out spellings: PER \d+\.\d\d %, WER \d+\.\d\d %$"));
        Assert.That(output[4], Does.Match(@"^The same by beam search: PER \d+\.\d\d %, WER \d+\.\d\d %$"));
    }

    [Test]
    public async Task One_seed_gives_the_same_figures_and_the_same_model_twice()
    {
        var runs = new List<(string[] Figures, byte[] Model)>();
        for (var i = 0; i < 2; i++)
        {
            var folder = NewFolder();
            var (output, _) = await Run(folder, "pronounce", ["--words", "1000", _dictionary]);
            var figures = output.SelectMany(line => Figure().Matches(line)).Select(m => m.Value).ToArray();
            runs.Add((figures, File.ReadAllBytes(Path.Combine(folder, Model))));
        }

        Assert.That(runs[0].Figures, Has.Length.EqualTo(5), "a loss, and error rates: a report's, the model's, the end's two");
        Assert.That(runs[1].Figures, Is.EqualTo(runs[0].Figures));
        Assert.That(runs[1].Model, Is.EqualTo(runs[0].Model));
    }

    [TestCase("INT", "spellings to learn from")]
    [TestCase("TERM", " words: loss")]
    public async Task Signal_ends_training_in_order_and_leaves_the_best_model(string signal, string after)
    {
        var folder = NewFolder();
        var (output, errors) = await Run(folder, "pronounce", [_dictionary], signal, after);

        Assert.That(errors, Is.Empty);
        Assert.That(output[^1], Does.StartWith("Stopped after ").And.Contains(Model));
        var rates = output.Select(line => PhonemeErrors().Match(line)).Where(m => m.Success)
            .Select(m => double.Parse(m.Groups[1].Value, null)).ToArray();
        Assert.That(rates, Has.Length.GreaterThanOrEqualTo(2), string.Join('\n', output));
        Assert.That(rates[^1], Is.EqualTo(rates[..^1].Min()), "the last line tells of the best model");

        var (words, _) = await Run(folder, "pronounce", ["--pronounce", "abe decade"]);
        Assert.That(words, Has.Length.EqualTo(2));
        Assert.That(words[0], Does.StartWith("abe  "));
        Assert.That(words[1], Does.StartWith("decade  "));
    }

    [Test]
    public async Task Letter_never_seen_is_named_and_the_others_are_pronounced()
    {
        var folder = NewFolder();
        await Run(folder, "pronounce", ["--words", "200", _dictionary]);
        var (output, errors) = await Run(folder, "pronounce", ["--pronounce", "aÿbe abe"]);

        Assert.That(errors, Does.Match("aÿbe.*: ÿ\n$"));
        Assert.That(output, Has.Length.EqualTo(2));
        Assert.That(output[0], Is.EqualTo(output[1].Replace("abe  ", "aÿbe  ")), "what is known of both is the same");
    }

    [Test]
    public async Task Trees_are_learned_from_files()
    {
        // A tree of digits is labelled with the largest.
        var random = new Random(Seed: 1);
        string Tree(int label, int depth) => depth == 0
            ? $"({label} digit{label})"
            : $"({label} {Tree(label, random.Next(depth))} {Tree(random.Next(label + 1), random.Next(depth))})";
        var folder = NewFolder();
        var trees = Enumerable.Range(0, 420).Select(_ => Tree(random.Next(5), 3)).ToArray();
        File.WriteAllLines(Path.Combine(folder, "train.txt"), trees[20..]);
        File.WriteAllLines(Path.Combine(folder, "dev.txt"), trees[..20]);
        var (output, errors) = await Run(folder, "treelstm", ["train.txt", "dev.txt"]);

        Assert.That(errors, Is.Empty);
        var rates = output.Select(line => RightNodes().Match(line)).Where(m => m.Success)
            .Select(m => double.Parse(m.Groups[1].Value, null)).ToArray();
        Assert.That(rates[^1], Is.GreaterThan(80), string.Join('\n', output));
        Assert.That(output[^1], Does.Match(@"^ ( digit\d)+ = \d( \(it is \d\))?$"));
    }

    [Test]
    public async Task What_cannot_be_used_is_said_in_one_line()
    {
        var folder = NewFolder();
        File.WriteAllText(Path.Combine(folder, Model), "#Parameter# /W {1} 17 ZERO_GRAD\n+1.00000000e+00 \n");
        await RunToFailure(1, folder, "pronounce", ["--pronounce", "abe"], "is no model of this program");
        File.WriteAllText(Path.Combine(folder, Model), "#Parameter# /plan {1} 17 ZERO_GRAD\n+4.90000000e+01 \n");
        await RunToFailure(1, folder, "pronounce", ["--pronounce", "abe"], "is no model of this program");
        File.WriteAllText(Path.Combine(folder, Model), "no model");
        await RunToFailure(1, folder, "pronounce", ["--pronounce", "abe"], "line 1");
        foreach (var words in (string[])["99999999999", "many", "-1", "0"])
            await RunToFailure(2, folder, "pronounce", ["--words", words, _dictionary], "usage");
        File.WriteAllText(Path.Combine(folder, "trees"), "(4294967295 word)\n");
        await RunToFailure(1, folder, "treelstm", ["trees", "trees"], "line 1");
    }

    [Test]
    public async Task A_few_trees_are_enough_to_hold_out()
    {
        var folder = NewFolder();
        File.WriteAllText(Path.Combine(folder, "trees"), "(1 (0 a) (1 b))\n");
        var (output, _) = await Run(folder, "treelstm", ["trees", "trees"]);
        Assert.That(output[^1], Does.StartWith("  a b = "));
    }

    private string NewFolder() =>
        Directory.CreateDirectory(Path.Combine(_workplace.App, Path.GetRandomFileName())).FullName;

    /// <summary>Runs a sample to its end, which must be a good one, and returns what it wrote to stdout and to stderr.
    /// A signal is sent when a line with a certain text has come.</summary>
    private async Task<(string[] Output, string Errors)> Run(
        string folder, string sample, string[] arguments, string signal = "", string after = "")
    {
        var (exitCode, output, errors) = await RunToEnd(folder, sample, arguments, signal, after);
        Assert.That(exitCode, Is.Zero, () => $"{string.Join('\n', output)}\n{errors}");
        return (output, errors);
    }

    /// <summary>Runs a sample that has to end with an exit code, and one line on stderr with a certain text.</summary>
    private async Task RunToFailure(int expected, string folder, string sample, string[] arguments, string text)
    {
        var (exitCode, output, errors) = await RunToEnd(folder, sample, arguments);
        Assert.That(exitCode, Is.EqualTo(expected), errors);
        Assert.That(output, Is.Empty);
        Assert.That(errors, Does.Contain(text));
        Assert.That(errors.TrimEnd('\n'), Does.Not.Contain('\n'));
    }

    private async Task<(int ExitCode, string[] Output, string Errors)> RunToEnd(
        string folder, string sample, string[] arguments, string signal = "", string after = "")
    {
        var program = Path.Combine(_workplace.Root, "artifacts/samples", sample, "bin/release", sample);
        // Where the tests run in the background of a script, SIGINT is ignored, and so it would be by what they start.
        using var process = _workplace.Start(folder, "env", ["--default-signal=INT,TERM", program, .. arguments]);
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var errors = process.StandardError.ReadToEndAsync(deadline.Token);
        var output = new List<string>();
        try
        {
            while (await process.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
            {
                output.Add(line);
                if (signal != "" && line.Contains(after, StringComparison.Ordinal))
                {
                    _workplace.Run(folder, "sh", "-c", $"kill -s {signal} {process.Id}");
                    signal = "";
                }
            }

            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{sample} did not end; it wrote:\n{string.Join('\n', output)}");
        }

        return (process.ExitCode, [.. output], await errors);
    }

    [GeneratedRegex(@"loss \d+\.\d{3}|PER \d+\.\d\d %, WER \d+\.\d\d %")]
    private static partial Regex Figure();

    [GeneratedRegex(@"PER (\d+\.\d\d) %")]
    private static partial Regex PhonemeErrors();

    [GeneratedRegex(@"(\d+\.\d) % of the nodes")]
    private static partial Regex RightNodes();
}
