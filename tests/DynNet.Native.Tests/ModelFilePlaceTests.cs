namespace DynNet.Native.Tests;

/// <summary>Model files in places where they are not, may not be, or were before.</summary>
[TestFixture]
public sealed class ModelFilePlaceTests : FolderFixture
{
    [Test]
    public void A_file_that_does_not_exist_is_named()
    {
        using Model model = ModelFiles.Make();
        string path = In("missing.model");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => Model.Load(path),
                Throws.TypeOf<FileNotFoundException>().With.Message.Contains(path)
                    .And.Property(nameof(FileNotFoundException.FileName)).EqualTo(path));
            Assert.That(() => model.Populate(path), Throws.TypeOf<FileNotFoundException>());
        }
    }

    [Test]
    public void A_place_that_cannot_be_written_is_an_error()
    {
        using Model model = ModelFiles.Make();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => model.Save(In("no/such/folder/a.model")),
                Throws.TypeOf<DirectoryNotFoundException>().With.Message.Contains("no/such/folder"));
            Assert.That(() => model.Save(_folder), Throws.InstanceOf<IOException>(), "a folder");
            Assert.That(() => Model.Load(_folder), Throws.InstanceOf<IOException>(), "a folder");
            if (OperatingSystem.IsLinux())
            {
                Assert.That(
                    () => Model.Load("/proc/self/mem"), Throws.InstanceOf<IOException>(), "unreadable for root too");
                Assert.That(
                    () => model.Save("/proc/sys/kernel/dynnet.model"),
                    Throws.InstanceOf<IOException>(), "read-only for root too");
            }
        }
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void A_file_without_permission_is_an_error()
    {
        using Model model = ModelFiles.Make();
        string file = In("secret.model");
        model.Save(file);
        string locked = In("locked");
        Directory.CreateDirectory(locked);
#pragma warning disable CA1416 // the platform attribute above says so
        File.SetUnixFileMode(file, UnixFileMode.None);
        File.SetUnixFileMode(locked, UnixFileMode.UserRead | UnixFileMode.UserExecute);
#pragma warning restore CA1416
        try
        {
            using (File.OpenRead(file))
                Assert.Ignore("SKIPPED: this user (root?) may read and write what permissions forbid.");
        }
        catch (UnauthorizedAccessException)
        {
        }
        using (Assert.EnterMultipleScope())
        {
            AssertForbidden(() => Model.Load(file), file);
            AssertForbidden(() => model.Populate(file), file);
            AssertForbidden(() => model.Save(Path.Combine(locked, "a")), locked);
        }
    }

    [Test]
    [Platform("Linux")]
    public void What_not_even_root_may_write_is_an_error()
    {
        const string Kernel = "/sys/kernel";
        if (!Directory.Exists(Kernel))
            Assert.Ignore($"SKIPPED: there is no {Kernel}, where nobody may make a file.");
        using Model model = ModelFiles.Make();
        AssertForbidden(() => model.Save(Kernel + "/dynnet.model"), Kernel);
    }

    [Test]
    [Platform("Linux")]
    public void What_not_even_root_may_read_is_an_error()
    {
        const string WriteOnly = "/sys/bus/cpu/drivers_probe";
        if (!File.Exists(WriteOnly))
            Assert.Ignore($"SKIPPED: there is no {WriteOnly}, which nobody may read.");
        using Model model = ModelFiles.Make();
        using (Assert.EnterMultipleScope())
        {
            AssertForbidden(() => Model.Load(WriteOnly), WriteOnly);
            AssertForbidden(() => model.Populate(WriteOnly), WriteOnly);
        }
    }

    [Test]
    public void Saving_replaces_the_file_as_a_whole_and_leaves_nothing_else()
    {
        using Model model = ModelFiles.Make();
        string file = In("a.model");
        File.WriteAllText(file, new string('x', 100_000));
        model.Save(file);
        using Model loaded = Model.Load(file);
        ModelFiles.AssertSame(loaded, model);
        Assert.That(Directory.GetFiles(_folder), Is.EqualTo([file]));
    }

    [Test]
    public void A_reader_beside_a_saver_sees_whole_files_only()
    {
        using Model model = ModelFiles.Make();
        string file = In("a.model");
        model.Save(file);
        using var stop = new CancellationTokenSource();
        Task saver = Task.Run(() =>
        {
            using Model mine = ModelFiles.Make();
            while (!stop.IsCancellationRequested)
                mine.Save(file);
        });
        for (int i = 0; i < 50; i++)
        {
            using Model loaded = Model.Load(file);
            Assert.That(loaded.ValueCount, Is.EqualTo(model.ValueCount));
        }
        stop.Cancel();
        saver.Wait();
        Assert.That(Directory.GetFiles(_folder), Is.EqualTo([file]));
    }

    [Test]
    public void A_failed_save_leaves_the_old_file()
    {
        using Model model = ModelFiles.Make();
        string file = In("a.model");
        model.Save(file);
        byte[] before = File.ReadAllBytes(file);
        Assert.That(() => model.Save(file, key: "no path"), Throws.ArgumentException);
        Assert.That(File.ReadAllBytes(file), Is.EqualTo(before));
    }

    private static void AssertForbidden(Action use, string path) =>
        Assert.That(() => use(), Throws.TypeOf<UnauthorizedAccessException>().With.Message.Contains(path));
}
